import { readFileSync } from 'node:fs';

/** What the build says about itself. Both are empty or null if the server runs from source. */
export interface BuildInfo {
  readonly build: string;
  readonly buildTime: Date | null;
}

/** Reads what the build has written: `npm run build` writes `dist/build.json`. */
export function readBuildInfo(file: URL): BuildInfo {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // From source, there is no such file.
    return { build: '', buildTime: null };
  }
  const { build, buildTime } = JSON.parse(text) as { readonly build: string; readonly buildTime: string };
  return { build, buildTime: new Date(buildTime) };
}
