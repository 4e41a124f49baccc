/** A bare node:http server over a folder of files, with ranges: what Node itself can do with createReadStream. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: bare-files.ts FOLDER');
const sizes = new Map<string, number>();

const server = createServer((request, response) => {
  request.resume();
  const file = join(folder, String(Number((request.url ?? '').slice(1))));
  const size = sizes.get(file) ?? statSync(file).size;
  sizes.set(file, size);
  const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const [start, end] = asked === null ? [0, size - 1] : [Number(asked[1]), Number(asked[2])];
  response.writeHead(asked === null ? 200 : 206, {
    'content-type': 'audio/wav',
    'content-length': end - start + 1,
    ...(asked === null ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  createReadStream(file, { start, end }).pipe(response);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
