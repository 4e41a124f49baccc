import {
  numberOrOffSetting,
  numberSetting,
  type SettingDefinition,
  wordSetting,
} from '../access/contact-center.ts';
import { MAX_LINK_SECONDS } from './links.ts';

/** A hundred years, leap days left out: what is to be kept for good is under legal hold. */
const MOST_DAYS = 36_500;

export const RETENTION_DAYS = numberSetting({
  key: 'recordings.retentionDays',
  least: 1,
  most: MOST_DAYS,
  default: 90,
  description: 'Days after the start of a call until its recording is let go; a recording may say otherwise',
});

export const ARCHIVE_AFTER_DAYS = numberOrOffSetting({
  key: 'recordings.archiveAfterDays',
  least: 1,
  most: MOST_DAYS,
  description: 'Days after the start of a call until its audio moves to the archive tier, where there is one',
});

export const LINK_SECONDS = numberSetting({
  key: 'recordings.linkSeconds',
  least: 60,
  most: MAX_LINK_SECONDS,
  default: 3600,
  description: 'Seconds for which the link to a recording holds',
});

export const DELIVERY = wordSetting({
  key: 'recordings.delivery',
  words: ['stream', 'redirect'],
  default: 'stream',
  description:
    'Whether audio in object storage is streamed through, or a link leads on to the storage itself',
});

/** All settings that bear on recordings. */
export const RECORDING_SETTINGS: readonly SettingDefinition[] = [
  RETENTION_DAYS,
  ARCHIVE_AFTER_DAYS,
  LINK_SECONDS,
  DELIVERY,
];
