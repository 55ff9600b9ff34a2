import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ProgressBar } from '../../src/cli/progress-bar.ts';

function stream(isTTY: boolean) {
  let text = '';
  const written = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { err: Object.assign(written, { isTTY }), text: () => text };
}

describe('a progress bar', () => {
  it('is one line for each tenth where no terminal shows it', () => {
    const { err, text } = stream(false);
    const bar = new ProgressBar(err, 'submitted', 100);
    for (let at = 0; at < 100; at += 1) bar.add(1);
    bar.end();
    const lines = text().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[0]).toMatch(/^submitted 10\/100 · \d+\/s$/);
    expect(lines[9]).toMatch(/^submitted 100\/100 /);
  });

  it('is drawn on one line of a terminal, and leaves it at the end', () => {
    const { err, text } = stream(true);
    const bar = new ProgressBar(err, 'finished', 4);
    bar.add(2);
    bar.add(2);
    bar.end();
    expect(text().startsWith(`\r\u001b[K${'█'.repeat(15)}${'░'.repeat(15)} finished 2/4`)).toBe(true);
    expect(text().endsWith('\n')).toBe(true);
    expect(text()).toContain(`\r\u001b[K${'█'.repeat(30)} finished 4/4`);
    expect(text().split('\n')).toHaveLength(2);
  });
});
