import type { Dialect } from '../../http/dialect.ts';
import { encodeFailure } from './errors.ts';
import { community, official } from './formats.ts';
import { addParsers } from './parameters.ts';
import { PROFILE, USER_REQUIRED } from './profiles.ts';
import { searchUsers } from './search.ts';

/** Convoso's Users API. */
export const convoso: Dialect = {
  name: 'convoso',
  title: 'Convoso',
  index: { name: 'convoso', searches: ['names'] },
  settings: [PROFILE, USER_REQUIRED],
  formats: [official, community],
  encodeFailure,
  endpoints: (deps) => [searchUsers(deps)],
  parsers: addParsers,
  samples: ({ email }) => [
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
  ],
};
