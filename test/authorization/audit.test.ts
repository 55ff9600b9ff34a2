/** How refusals are collected before they are written. */
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { flushDenials, noteDenial } from '../../src/authorization/audit.ts';
import { type Caller, systemCaller } from '../../src/platform/caller.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { log } from '../../src/platform/log.ts';
import { stopClocks } from '../support/clock.ts';
import { newTenant } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

let caller: Caller;
let tenantId: string;
beforeAll(async () => {
  tenantId = await newTenant('default');
});
beforeEach(() => {
  caller = { ...systemCaller(tenantId, newId()), method: 'PASSWORD' };
});

const deny = (name: string | null) =>
  noteDenial(caller, {
    action: 'project:read',
    code: 'NOT_FOUND',
    target: name === null ? null : { type: 'project', id: null, name },
  });
const rows = () => db.auditEvent.findMany({ where: { actorId: caller.userId } });

describe('a refusal', () => {
  it('is written after a quarter of a second', async () => {
    await flushDenials();
    stopClocks('setTimeout', 'clearTimeout');
    deny('x');
    vi.advanceTimersByTime(250);
    const written = await eventually(rows, ({ length }) => length > 0);
    expect(written).toMatchObject([{ outcome: 'DENIED', count: 1, targetType: 'project', targetName: 'x' }]);
  });

  it('is written without its object if it has none, and with at most 255 characters of a name', async () => {
    for (const name of [null, 'a'.repeat(255), 'b'.repeat(256), 'c\u0000']) deny(name);
    await flushDenials();
    const names = (await rows()).map(({ targetName }) => targetName);
    expect(new Set(names)).toEqual(new Set([null, 'a'.repeat(255), 'b'.repeat(255), 'c\ufffd']));
  });

  it('of a kind is counted with the others of its kind', async () => {
    for (const name of ['x', 'x', 'y', 'x']) deny(name);
    await flushDenials();
    expect((await rows()).map(({ targetName, count }) => [targetName, count]).sort()).toEqual([
      ['x', 3],
      ['y', 1],
    ]);
  });

  it('is not recorded when there are more than a thousand kinds at once, which the log of the server says', async () => {
    await flushDenials();
    stopClocks('setTimeout', 'clearTimeout');
    const warn = vi.spyOn(log, 'warn');
    onTestFinished(() => warn.mockRestore());
    for (let at = 0; at < 1000; at += 1) deny(`name ${at}`);
    await flushDenials();
    expect(warn).not.toHaveBeenCalled();
    for (let at = 0; at < 1002; at += 1) deny(`more ${at}`);
    deny('more 0');
    await flushDenials();
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([{ denials: 2 }]);
    expect(await rows()).toHaveLength(2000);
  });
});
