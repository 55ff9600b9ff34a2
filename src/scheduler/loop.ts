import { isDatabaseLost } from '../platform/database/failures.ts';
import { log } from '../platform/log.ts';

/**
 * All loops of the scheduler have this form. They work on things that are due, by id, a few at a time. News names one
 * id at once; a timer looks for everything that is due, in case news was lost. A loop keeps no state that matters:
 * after a crash it looks at the tables and continues.
 */
export interface LoopDefinition {
  readonly name: string;
  /** How often to look for work that is due if there is no news. */
  readonly everyMs: number;
  /** How many ids at the same time. One id is never worked on twice at the same time. */
  readonly concurrency: number;
  /** The ids that are due, up to a limit. */
  due(): Promise<readonly string[]>;
  /** Works on one id. Only `true` means that the id needs more work at once. */
  each(id: string): Promise<unknown>;
}

export interface Loop {
  /** Tells the loop about news of one id. */
  wake(id: string): void;
  /** Looks for everything that is due. */
  look(): void;
  /** Stops after the work that is running. */
  stop(): Promise<void>;
}

export function startLoop(definition: LoopDefinition): Loop {
  const { name, everyMs, concurrency } = definition;
  const loopLog = log.child({ loop: name });
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  let looking: Promise<void> | null = null;
  let wantsLook = false;
  let isStopped = false;

  function fill(): void {
    for (const id of waiting) {
      if (isStopped || running.size >= concurrency) return;
      // News about an id in work waits until that work ends, because the work may not have seen the change.
      if (running.has(id)) continue;
      waiting.delete(id);
      running.set(
        id,
        work(id).finally(() => {
          running.delete(id);
          fill();
        }),
      );
    }
  }

  async function work(id: string): Promise<void> {
    try {
      if ((await definition.each(id)) === true) waiting.add(id);
    } catch (error) {
      report(error, id);
    }
  }

  async function lookForDue(): Promise<void> {
    try {
      for (const id of await definition.due()) waiting.add(id);
    } catch (error) {
      report(error, null);
    }
    fill();
  }

  function report(error: unknown, id: string | null): void {
    if (isDatabaseLost(error)) loopLog.warn({ id }, 'the database does not answer');
    else loopLog.error({ err: error, id }, 'turn failed');
  }

  function look(): void {
    if (isStopped) return;
    if (looking) {
      wantsLook = true;
      return;
    }
    looking = lookForDue().finally(() => {
      looking = null;
      if (wantsLook) {
        wantsLook = false;
        look();
      }
    });
  }

  const timer = setInterval(look, everyMs);
  look();
  return {
    wake(id) {
      waiting.add(id);
      fill();
    },
    look,
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await looking;
      await Promise.all(running.values());
    },
  };
}
