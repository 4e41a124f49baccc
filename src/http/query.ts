import { isUtf8 } from 'node:buffer';
import { HttpFailure } from './wire-failure.ts';

/** A request's query, decoded: each parameter's value, or its values where it was sent more than once. */
export type Query = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Reads a form body (application/x-www-form-urlencoded, WHATWG URL section 5.1), strictly.
 * @throws HttpFailure malformed where an escape is cut off or its bytes are not UTF-8
 */
export function parseForm(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null);
  if (text === '') return form;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decodePart(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decodePart(pair.slice(at + 1));
    const known = form[name];
    if (known === undefined) form[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else form[name] = [known, value];
  }
  return form;
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new HttpFailure('malformed');
  }
}

/** The text of a body. @throws HttpFailure malformed where it is not UTF-8 */
export function readText(body: string | Buffer): string {
  if (typeof body === 'string') return body;
  if (!isUtf8(body)) throw new HttpFailure('malformed');
  return body.toString('utf8');
}

/** Reads a JSON object. @throws HttpFailure malformed */
export function parseJsonObject(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpFailure('malformed');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new HttpFailure('malformed');
  return value as Record<string, unknown>;
}

/** The secret of `Authorization: Bearer x`; with `bare`, also of a header that is just the secret. */
export function bearerSecret(header: string | undefined, bare = false): string | undefined {
  if (header === undefined) return undefined;
  const match = /^Bearer +([^ ]+) *$/i.exec(header);
  return match?.[1] ?? (bare ? header.trim() : undefined);
}
