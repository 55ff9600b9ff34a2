/**
 * A small shell script that runs the command of a run, so that the command needs no executor: it keeps what the command
 * prints, and how it ends. It needs /bin/sh, env, head, tail and, to give the command its own session, setsid or perl.
 *
 *    <control>/gate        who may start the command: the script (its process id, and the job and its restarts in
 *                          Slurm), or nobody any more (`closed`)
 *    <control>/leader      the process id of the command, which leads its session
 *    <control>/exit        how it ended: the exit code of the shell, and whether a signal caused it
 *    <control>/stdout …    the beginning of what it prints, and in `stdout.end` the end of the rest
 *    <control>/said        what the shell itself says, such as `Killed`
 *    <control>/done        the log is complete
 *
 * The gate makes the start unique: a script that does not create this file ends at once. Only a whole line in a file
 * counts, because a reader may see half of a line.
 *
 * The output of the command goes through pipes, because scripts often write to /dev/stderr, which would empty a file.
 * What keeps the output ignores signals, because it must not end before the command.
 *
 * `stdbuf` makes `head` write at once; without it, the log appears late.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '../host/run-error.ts';
import type { CommandExit } from '../host/runtime.ts';

/**
 * Arguments: the control directory, the limit of each stream, `own` if the command gets its own session or `shared` if
 * it stays in the process group of the script, and the words. In a shared group, the script asks what the command has
 * left in the background to end; with a session of its own, somebody else does that.
 */
export const WRAPPER = `
dir=$1 limit=$2 session=$3
shift 3
run_path=$PATH
PATH=/usr/local/bin:/usr/bin:/bin
umask 077
set -C
{ printf '%s %s %s\\n' "$$" "\${SLURM_JOB_ID:-0}" "\${SLURM_RESTART_COUNT:-0}" >"$dir/gate"; } 2>/dev/null || exit 0
set +C
keep() { (
  { stdbuf -o0 head -c "$limit" || head -c "$limit"; } >"$dir/$1" 2>/dev/null
  tail -c 16384 >"$dir/$1.end"
) }
lead='printf "%s\\n" "$$" >"$1/leader"; shift; exec "$@"'
set -- sh -c "$lead" slipway "$dir" "$(command -v env)" -u PWD -u OLDPWD -u SHLVL "PATH=$run_path" "$@"
if [ "$session" = shared ]; then :
elif command -v setsid >/dev/null; then set -- setsid "$@"
else set -- perl -MPOSIX -e 'setsid(); exec @ARGV' "$@"
fi
trap '' TERM INT HUP
{
  {
    trap : TERM INT HUP
    ( exec 2>&3 3>&- </dev/null; exec "$@" )
    status=$? cause=exit
    [ "$status" -gt 128 ] && { [ -s "$dir/said" ] || [ "$status" = 130 ] || [ "$status" = 141 ]; } && cause=signal
    printf '%s %s\\n' "$status" "$cause" >"$dir/exit"
    [ "$session" = own ] || kill -TERM 0
  } | keep stdout 3>&-
} 3>&1 >/dev/null | keep stderr
printf 'done\\n' >"$dir/done"
read -r status cause <"$dir/exit" && exit "$status"
`;

/** Names that a shell changes, or that are no names for a shell. They go to `env`, which passes every name on. */
const OF_THE_SHELL =
  /^(?![A-Za-z_][A-Za-z0-9_]*$)|^(PWD|OLDPWD|SHLVL|_|IFS|ENV|OPT[A-Z]+|PPID|PS[0-9]|LINENO|MAIL[A-Z]*|RANDOM|SECONDS|E?UID|GROUPS|HIST[A-Z]+|HOST[A-Z]+|MACHTYPE|OSTYPE|COLUMNS|LINES|DIRSTACK|FUNCNAME|SHELLOPTS|POSIXLY_CORRECT|BASH.*|SLIPWAY_RUN_ID)$/;

/**
 * The words and the environment of the wrapper that runs a command with this environment. The wrapper itself does not
 * have the variable with the id of the run, so it is not ended together with the run.
 */
export function wrap(
  command: {
    readonly words: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly control: string;
    readonly logLimitBytes: number;
  },
  session: 'own' | 'shared',
): { readonly args: string[]; readonly environment: Record<string, string> } {
  const all = Object.entries(command.environment);
  const special = all.filter(([name]) => OF_THE_SHELL.test(name));
  const assignments = special.map(([name, value]) => `${name}=${value}`);
  // One byte more than the log takes, so that it is known whether there was more.
  const limit = String(command.logLimitBytes + 1);
  return {
    args: [command.control, limit, session, ...assignments, ...command.words],
    environment: Object.fromEntries(all.filter(([name]) => !OF_THE_SHELL.test(name))),
  };
}

/**
 * Makes sure that the command does not start later. @returns whether it has begun already, or may have: somebody may
 * have removed the directory.
 */
export function closeGate(control: string): boolean {
  try {
    writeFileSync(join(control, 'gate'), 'closed\n', { flag: 'wx', mode: 0o600 });
    return false;
  } catch (error) {
    // Without the directory, the script cannot create the file either.
    if (systemErrorCode(error) === 'ENOENT') return true;
    if (systemErrorCode(error) === 'EEXIST') return readLine(control, 'gate') !== 'closed';
    throw error;
  }
}

/** The script that runs the command. The numbers of Slurm are 0 elsewhere. */
export interface GateKeeper {
  readonly pid: number;
  readonly slurmJob: number;
  readonly restarts: number;
}

/** Null if no script has started the command, or if the file is not complete yet. */
export function readGate(control: string): GateKeeper | null {
  const match = /^(\d{1,15}) (\d{1,15}) (\d{1,15})$/.exec(readLine(control, 'gate') ?? '');
  const pid = pidOf(match?.[1] ?? null);
  return match === null || pid === null
    ? null
    : { pid, slurmJob: Number(match[2]), restarts: Number(match[3]) };
}

/** The process id of the command; null before it begins. */
export const readLeaderPid = (control: string): number | null => pidOf(readLine(control, 'leader'));

/** When the command began, by the clock of the file system; null before that. */
export function begunAt(control: string): Date | null {
  if (readLeaderPid(control) === null) return null;
  return statSync(join(control, 'leader')).mtime;
}

/** Null until the command has ended. */
export function readExit(control: string): CommandExit | null {
  const [, text = '', cause] = /^(\d+) (exit|signal)$/.exec(readLine(control, 'exit') ?? '') ?? [];
  if (cause === undefined) return null;
  const status = Number(text);
  return cause === 'signal'
    ? { code: null, signal: signalNames.get(status - 128) ?? `signal ${status - 128}` }
    : { code: status, signal: null };
}

/** Whether the log is complete. */
export const isLogComplete = (control: string): boolean => readLine(control, 'done') !== null;

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

function pidOf(line: string | null): number | null {
  const pid = /^\d+$/.test(line ?? '') ? Number(line) : 0;
  // Process 1 is init, which is never part of a run.
  return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
}

/** The first line of a file; null if the file does not exist or the line is not complete yet. */
function readLine(control: string, name: string): string | null {
  try {
    const text = readFileSync(join(control, name), 'latin1');
    const end = text.indexOf('\n');
    return end === -1 ? null : text.slice(0, end);
  } catch (error) {
    if (systemErrorCode(error) === null) throw error;
    return null;
  }
}
