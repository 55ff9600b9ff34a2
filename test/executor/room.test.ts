import { describe, expect, it, vi } from 'vitest';
import { amountOf, Room, requestsOf } from '../../src/executor/host/room.ts';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';

/** The smallest machine: what tasks ask for that say nothing must fit. */
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 1,
}));

const asks = (cpuMillis: number, memoryBytes: number) => ({ cpuMillis, memoryBytes, gpus: 0 });

describe('Room', () => {
  it('counts what runs take until they are over', () => {
    const room = new Room({ cpuMillis: 3000, memoryBytes: 100 });
    expect([room.fits(asks(3000, 100)), room.fits(asks(3001, 0)), room.fits(asks(0, 101))]).toEqual([
      true,
      false,
      false,
    ]);
    room.take('a', asks(2000, 10));
    expect([room.fits(asks(1000, 90)), room.fits(asks(1001, 0)), room.fits(asks(0, 91))]).toEqual([
      true,
      false,
      false,
    ]);
    expect([room.couldFit(asks(3000, 100)), room.couldFit(asks(3001, 0))]).toEqual([true, false]);
    room.take('b', asks(1000, 0));
    expect(room.isFull).toBe(true);
    room.free('a');
    expect([room.isFull, room.fits(asks(2000, 100))]).toEqual([false, true]);
  });

  it('is full when either the CPUs or the memory are taken, and never if the runtime makes work wait', () => {
    const room = new Room({ cpuMillis: 3000, memoryBytes: 100 });
    room.take('a', asks(0, 100));
    expect(room.isFull).toBe(true);
    const endless = new Room(null);
    endless.take('a', asks(1e9, 1e15));
    expect([endless.isFull, endless.fits(asks(1e9, 1e15)), endless.couldFit(asks(1e9, 1e15))]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('requestsOf', () => {
  it('reads quantities by name, and takes a limit for a request that is missing', () => {
    const requests = [
      { name: 'CPU', value: '1500m' },
      { name: 'GPU', value: '2' },
    ];
    const limits = [
      { name: 'CPU', value: '8' },
      { name: 'MEMORY', value: '1.5Gi' },
    ];
    const read = requestsOf({ requests, limits });
    expect(read).toEqual({ cpuMillis: 1500, memoryBytes: 1.5 * 2 ** 30, gpus: 2 });
    expect(requestsOf({ requests: [], limits: [] })).toEqual(asks(0, 0));
  });

  it.each([
    ['2', 1000n, 2000],
    ['0.0001', 1000n, 1],
    ['200Mi', 1n, 200 * 2 ** 20],
    ['-1', 1n, 0],
    ['much', 1n, 0],
  ])('reads %s in units of 1/%s as %s', (text, factor, amount) => {
    expect(amountOf(text, factor)).toBe(amount);
  });
});

describe('the process runtime', () => {
  it('offers what the machine has, or what it is told', async () => {
    const [own] = await createProcessRuntime({ root: '/nowhere' }).nodes();
    expect(own?.allocatable['cpu']).toBe('1000m');
    expect(amountOf(own?.allocatable['memory'] ?? '', 1n)).toBeGreaterThan(2 ** 20);
    const told = createProcessRuntime({ root: '/nowhere', capacity: { cpuMillis: 500, memoryBytes: 1000 } });
    expect((await told.nodes())[0]?.allocatable).toEqual({ cpu: '500m', memory: '1000' });
    expect(told.capacity).toEqual({ cpuMillis: 500, memoryBytes: 1000 });
  });
});
