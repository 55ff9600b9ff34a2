import { beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, isPassword } from '../../src/identity/passwords.ts';

let hashed: string;
beforeAll(async () => {
  hashed = await hashPassword('right');
});

describe('hashPassword', () => {
  // With at least the costs that OWASP recommends for argon2id: 19 MiB, two rounds, one lane.
  it('makes an argon2id hash in PHC form with its costs', () => {
    expect(hashed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
});

describe('isPassword', () => {
  it('accepts the right password only, and none when there is no hash', async () => {
    expect(await isPassword('right', hashed)).toBe(true);
    expect(await isPassword('wrong', hashed)).toBe(false);
    expect(await isPassword('nobody has this password', null)).toBe(false);
  });

  it('answers RESOURCE_EXHAUSTED when too many wait, and answers everyone who was admitted', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 130 }, () => isPassword('right', hashed)));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.length).toBe(130 - 102);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value)).toHaveLength(102);
    expect(await isPassword('right', hashed)).toBe(true);
  });

  it('keeps the order of arrival, also when a slot becomes free at the same moment', async () => {
    const order: number[] = [];
    const check = (number: number) => isPassword('right', hashed).then(() => order.push(number));
    const late: Promise<unknown>[] = [];
    const early = [0, 1, 2, 3, 4, 5].map((number) =>
      check(number).then(() => {
        // Comes at the same moment in which a slot becomes free.
        if (number === 0) late.push(check(9));
      }),
    );
    await Promise.all(early);
    await Promise.all(late);
    // Two are checked at the same time, so the last but one may end after the last one.
    expect(order.indexOf(9)).toBeGreaterThanOrEqual(order.length - 2);
  });
});
