import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { startProgress, type Terminal } from './progress.ts';

/** What a terminal of 60 columns shows of what was written to it: cursor moves and clearing, no colors. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = 60;
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;
  #saved = { row: 0, column: 0 };

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    for (const [part] of String(chunk).matchAll(/\x1b\[[?\d;]*[A-Za-z]|\x1b.|[^\x1b]/gs)) this.#take(part);
    done();
  }

  #take(part: string): void {
    const [, number, letter] = /^.\[\??(\d*)([A-Za-z])$/s.exec(part) ?? [];
    const line = this.#lines[this.#row] ?? '';
    if (part === '\n') {
      this.#row += 1;
      this.#column = 0;
      if (this.#row === this.#lines.length) this.#lines.push('');
    } else if (part === '\r') this.#column = 0;
    else if (part.endsWith('7') && part.length === 2) this.#saved = { row: this.#row, column: this.#column };
    else if (part.endsWith('8') && part.length === 2) {
      this.#row = this.#saved.row;
      this.#column = this.#saved.column;
    } else if (letter === 'G') this.#column = Number(number) - 1;
    else if (letter === 'K') this.#lines[this.#row] = number === '2' ? '' : line.slice(0, this.#column);
    else if (letter === undefined) {
      this.#lines[this.#row] =
        line.slice(0, this.#column).padEnd(this.#column) + part + line.slice(this.#column + 1);
      this.#column += 1;
    }
  }

  get lines(): string[] {
    return this.#lines.map((line) => line.trimEnd());
  }
}

describe('progress on a terminal', () => {
  it('keeps lines that are told whole and above the bar', () => {
    const screen = new Screen();
    const progress = startProgress(100, 'bytes', screen);
    progress.update(10, '1 made');
    progress.tell('line 2: email: is no email');
    progress.tell('line 3: extension: belongs to user 1 already');
    progress.update(50, '2 made');
    assert.match(screen.lines.at(-1) ?? '', /^\[.+\] 50 % {2}2 made$/);
    progress.tell('line 9: status: is none');
    progress.update(100, '3 made');
    assert.deepEqual(screen.lines.slice(0, -1), [
      'line 2: email: is no email',
      'line 3: extension: belongs to user 1 already',
      'line 9: status: is none',
    ]);
    assert.match(screen.lines.at(-1) ?? '', /^\[.+\] 100 % {2}3 made$/);
    progress.stop();
    assert.equal(screen.lines.at(-1), '');
  });

  it('keeps lines whole that are told to another stream of the same terminal', (test) => {
    const screen = new Screen();
    const stdout: Terminal = Object.assign(
      new Writable({
        write(chunk, _, done) {
          screen.write(chunk);
          done();
        },
      }),
      { isTTY: true },
    );
    const progress = startProgress(3, 'rows', screen);
    // A bar that is not stopped is drawn for ever.
    test.after(progress.stop);
    for (const row of [1, 2]) {
      progress.tell(`line ${row}: recording ${row}`, stdout);
      progress.update(row, `${row} made`);
    }
    progress.tell('line 3: file: is not there');
    progress.update(3, '2 made, 1 refused');
    assert.deepEqual(screen.lines.slice(0, -1), [
      'line 1: recording 1',
      'line 2: recording 2',
      'line 3: file: is not there',
    ]);
    progress.stop();
    assert.equal(screen.lines.at(-1), '');
  });

  it('stays where lines go to a file', () => {
    const [screen, written] = [new Screen(), [] as string[]];
    const file: Terminal = new Writable({
      write(chunk, _, done) {
        written.push(String(chunk));
        done();
      },
    });
    const progress = startProgress(10, 'rows', screen);
    progress.update(5, 'half');
    const before = screen.lines;
    progress.tell('line 1: recording 1', file);
    assert.deepEqual([screen.lines, written], [before, ['line 1: recording 1\n']]);
    progress.stop();
  });

  it('draws no more than fits on its line', () => {
    const screen = new Screen();
    const progress = startProgress(null, 'bytes', screen);
    progress.tell('x');
    progress.update(7, 'made, changed, unchanged and refused '.repeat(9));
    assert.equal(screen.lines.at(-1)?.length, screen.columns);
    progress.stop();
    assert.deepEqual(screen.lines, ['x', '']);
  });

  it('leaves Ctrl-C to end the command', () => {
    const before = process.listenerCount('SIGINT');
    const progress = startProgress(1, 'users', new Screen());
    assert.equal(process.listenerCount('SIGINT'), before);
    progress.stop();
  });
});

it('progress where nobody looks on is the told lines alone', () => {
  const written: string[] = [];
  const stream: Terminal = new Writable({
    write(chunk, _, done) {
      written.push(String(chunk));
      done();
    },
  });
  const progress = startProgress(10, 'users', stream);
  progress.update(5, 'half');
  progress.tell('line 1: no');
  progress.stop();
  assert.deepEqual(written, ['line 1: no\n']);
});
