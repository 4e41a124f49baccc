/** 8 MiB: of a million users with four keys each, one in fifty other keys is taken for one of theirs. */
const WORDS = 2 ** 21;

/**
 * Remembers keys in little memory, whatever their number: a key that was added is always known, and few others
 * are taken for known. A Bloom filter whose three bits of a key lie in one word: each costs a cache line.
 */
export class SeenKeys {
  readonly #words = new Uint32Array(WORDS);

  add(key: string): void {
    const hash = hashOf(key);
    const at = hash & (WORDS - 1);
    this.#words[at] = (this.#words[at] as number) | bitsOf(hash);
  }

  has(key: string): boolean {
    const hash = hashOf(key);
    const bits = bitsOf(hash);
    return ((this.#words[hash & (WORDS - 1)] as number) & bits) === bits;
  }
}

/** FNV-1a, with MurmurHash3's last steps, that all bits of the key may change all bits of the hash. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function bitsOf(hash: number): number {
  const other = Math.imul(hash, 0x9e3779b1);
  return (1 << (other >>> 27)) | (1 << ((other >>> 22) & 31)) | (1 << ((other >>> 17) & 31));
}
