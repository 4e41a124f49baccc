/** A bare node:http server that sends the same bytes to every request: what Node itself can do here. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , bodyFile] = process.argv;
if (bodyFile === undefined) throw new Error('usage: bare.ts BODY_FILE');
const body = readFileSync(bodyFile);

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
