import { type Command, Option } from 'commander';
import { defaultMedia } from '../config/media.ts';

/** Gives a command the flags that name places for audio; `flag` is the main one's. */
export type AddMediaOptions = (command: Command, flag: string) => Command;

/** What gives the flags, with what the environment says where they are not given. */
export function createMediaOptions(env: Readonly<Record<string, string | undefined>>): AddMediaOptions {
  const given = defaultMedia(env);
  return (command, flag) => {
    const options: [flags: string, description: string, given: unknown][] = [
      [
        `${flag} <place>`,
        'where audio lies: a folder or s3://bucket/prefix (or ROLLCALL_MEDIA; default: media in --data)',
        given.media,
      ],
      [
        '--archive-media <place>',
        'where archived audio lies (or ROLLCALL_ARCHIVE_MEDIA)',
        given.archiveMedia,
      ],
      [
        '--s3-endpoint <url>',
        "S3's address, where it is not AWS's own (or ROLLCALL_S3_ENDPOINT)",
        given.s3Endpoint,
      ],
      ['--s3-region <name>', "S3's region (or ROLLCALL_S3_REGION, or AWS_REGION)", given.s3Region],
      [
        '--s3-path-style',
        "name S3's bucket in the path, not in the host (or ROLLCALL_S3_PATH_STYLE=true)",
        given.s3PathStyle,
      ],
    ];
    return options.reduce(
      (all, [flags, description, value]) => all.addOption(new Option(flags, description).default(value)),
      command,
    );
  };
}
