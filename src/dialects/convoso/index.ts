import type { Dialect } from '../../http/dialect.ts';
import { encodeFailure } from './errors.ts';
import { community, official } from './formats.ts';
import { addParsers } from './parameters.ts';
import { PROFILE, USER_REQUIRED } from './profiles.ts';
import { listLeadRecordings, listUserRecordings } from './recordings.ts';
import { searchUsers } from './search.ts';

/** Convoso's Users API, and its recordings. */
export const convoso: Dialect = {
  name: 'convoso',
  title: 'Convoso',
  isAtRoot: true,
  index: { name: 'convoso', searches: ['names'] },
  settings: [PROFILE, USER_REQUIRED],
  formats: [official, community],
  encodeFailure,
  endpoints: (deps) => [searchUsers(deps), listUserRecordings(deps), listLeadRecordings(deps)],
  parsers: addParsers,
  samples: ({ email, recording }) => [
    {
      title: 'Convoso, users/search, official shape',
      method: 'GET',
      path: `/v1/users/search?auth_token=TOKEN&user=${encodeURIComponent(email)}`,
    },
    {
      title: 'Convoso, users/search, community shape',
      method: 'POST',
      path: '/v1/users/search',
      body: `auth_token=TOKEN&user=${encodeURIComponent(email)}&limit=20`,
    },
    {
      title: 'Convoso, users/recordings',
      method: 'GET',
      path: `/v1/users/recordings?auth_token=TOKEN&user=${encodeURIComponent(recording?.email ?? email)}&limit=5`,
    },
    {
      title: 'Convoso, lead/get-recordings',
      method: 'GET',
      path: `/v1/lead/get-recordings?auth_token=TOKEN&lead_id=${recording?.leadId ?? 1}`,
    },
  ],
};
