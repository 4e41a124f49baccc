import type { FormatUser, UserFormat } from '../../directory/format.ts';
import {
  COMMUNITY_FIELDS,
  decodeCommunity,
  decodeOfficial,
  encodeCommunity,
  encodeOfficial,
  OFFICIAL_FIELDS,
} from './user.ts';

/** An official answer: users under their number in `data.results`. */
export const official: UserFormat = {
  name: 'convoso',
  dialect: 'convoso',
  fields: OFFICIAL_FIELDS,
  recognises: (row) => 'acl_access_profile' in row && typeof row.user_level !== 'string',
  decode: decodeOfficial,
  encode: encodeOfficial,
  row: (user: FormatUser, context) =>
    `"${user.dialectNumber}":${JSON.stringify(encodeOfficial(user, context))}`,
  envelope: ({ count }) => ({
    head: `{"success":true,"data":{"offset":0,"limit":"${count}","total":"${count}","results":{`,
    separator: ',',
    tail: '}}}\n',
  }),
};

/** A community answer: a bare array. */
export const community: UserFormat = {
  name: 'convoso-community',
  dialect: 'convoso',
  fields: COMMUNITY_FIELDS,
  recognises: (row) => 'acl_access_profile' in row && typeof row.user_level === 'string',
  decode: decodeCommunity,
  encode: encodeCommunity,
  row: (user, context) => JSON.stringify(encodeCommunity(user, context)),
  envelope: () => ({ head: '[', separator: ',', tail: ']\n' }),
};
