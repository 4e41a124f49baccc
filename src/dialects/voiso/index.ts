import type { Dialect } from '../../http/dialect.ts';
import { ignoreBodies } from '../../http/ignored-body.ts';
import { encodeFailure } from './errors.ts';
import { format } from './user.ts';
import { listUsers } from './users.ts';

/** Voiso's Users API (user_management v1). */
export const voiso: Dialect = {
  name: 'voiso',
  title: 'Voiso',
  isAtRoot: true,
  index: { name: 'voiso', searches: ['filters'] },
  settings: [],
  formats: [format],
  encodeFailure,
  endpoints: (deps) => [listUsers(deps)],
  parsers: ignoreBodies,
  samples: ({ extension }) =>
    ['/user_management/v1/users', '/api/user_management/v1/users'].map((path) => ({
      title: `Voiso, ${path}`,
      method: 'GET' as const,
      path: `${path}?extension=${encodeURIComponent(extension)}`,
      headers: { Authorization: 'Bearer TOKEN' },
    })),
};
