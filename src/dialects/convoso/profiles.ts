import { type ContactCenter, settingOf, wordSetting } from '../../access/contact-center.ts';

/**
 * The two documents that describe this API disagree on nearly every field. Each is a profile: `official`
 * is the vendor's help page (GET), `community` the convoso-js documentation (POST).
 */
export type Profile = 'official' | 'community';

export const PROFILE = wordSetting({
  key: 'convoso.profile',
  words: ['by-method', 'official', 'community'],
  default: 'by-method',
  description:
    "Which of Convoso's documented shapes is answered: by-method gives official to GET and community to POST",
});

export const USER_REQUIRED = wordSetting({
  key: 'convoso.userRequired',
  words: ['true', 'false'],
  default: 'true',
  description:
    'Whether a search in the official profile must name users; false lists everyone where none are named',
});

/** The profile that a request is answered in. */
export function profileOf(contactCenter: ContactCenter, method: string): Profile {
  const setting = settingOf(contactCenter, PROFILE);
  if (setting !== 'by-method') return setting;
  return method === 'POST' ? 'community' : 'official';
}

/** Whether `user` may be absent: always in the community profile, in both where the setting says so. */
export function mayListEveryone(contactCenter: ContactCenter, profile: Profile): boolean {
  return profile === 'community' || settingOf(contactCenter, USER_REQUIRED) === 'false';
}
