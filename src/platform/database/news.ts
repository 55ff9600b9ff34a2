import { notifications } from './notify.ts';
import type { Topic } from './topics.ts';

/** Waits for news about one thing. If news comes while nobody waits, the next wait ends at once: no news is lost. */
export interface News {
  /**
   * Resolves on news, on a lost connection, when the signal fires, or after `limitMs`. In all cases the caller looks at
   * the tables again.
   */
  next(limitMs: number): Promise<void>;
  close(): void;
}

export function newsOf(topic: Topic, id: string, signal: AbortSignal): News {
  let isPending = false;
  let wake: (() => void) | null = null;
  const heard = () => {
    isPending = true;
    wake?.();
  };
  const stops = [notifications.on(topic, id, heard), notifications.onMissed(heard)];
  signal.addEventListener('abort', heard);
  return {
    async next(limitMs) {
      if (!isPending && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, limitMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isPending = false;
      wake = null;
    },
    close() {
      for (const stop of stops) stop();
      signal.removeEventListener('abort', heard);
    },
  };
}
