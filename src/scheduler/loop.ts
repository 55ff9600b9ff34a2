import { isDatabaseLost } from '../platform/database/failures.ts';
import { log } from '../platform/log.ts';

/**
 * The shape of every loop of the scheduler: things that are due, by id, worked off a few at a time. News names an id at
 * once; a timer looks for all that is due, in case news was lost. It keeps nothing that matters: after a crash it looks
 * at the tables and goes on.
 */
export interface LoopDefinition {
  readonly name: string;
  /** How often to look for what is due when there is no news. */
  readonly everyMs: number;
  /** How many ids at a time. One id is never worked on twice at once. */
  readonly concurrency: number;
  /** The ids that are due, a bounded number. */
  due(): Promise<readonly string[]>;
  /** Works on one. True: it wants to be looked at again at once. */
  each(id: string): Promise<boolean>;
}

export interface Loop {
  /** News about one id. */
  wake(id: string): void;
  /** Look for everything that is due. */
  look(): void;
  /** Ends after what is under way. */
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
      // News about an id that is being worked on waits for its end: it may have come too late for that turn.
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
      if (await definition.each(id)) waiting.add(id);
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
