import type { Dialect } from '../../http/dialect.ts';
import { ignoreBodies } from '../../http/ignored-body.ts';
import { encodeFailure } from './errors.ts';
import { format } from './user.ts';
import { listUsers } from './users.ts';

/** Tata Smartflo's Users API, word for word that of its twins Servetel and Acefone. */
export const smartflo: Dialect = {
  name: 'smartflo',
  title: 'Smartflo',
  isAtRoot: true,
  index: { name: 'smartflo', searches: ['flags'] },
  settings: [],
  formats: [format],
  encodeFailure,
  endpoints: (deps) => [listUsers(deps)],
  parsers: ignoreBodies,
  samples: () => [
    {
      title: 'Smartflo, users',
      method: 'GET',
      path: '/v1/users?limit=5&user_status=true',
      headers: { Authorization: 'Bearer TOKEN' },
    },
  ],
};
