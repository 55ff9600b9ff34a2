const PLACEHOLDER = /\{\{JobId\}\}|\{JobId\}/g;

/** `{JobId}` becomes the id of the job, and `{{JobId}}` the word `JobId`. Source: Armada. */
export const withJobId = (text: string, jobId: string): string =>
  text.replaceAll(PLACEHOLDER, (found) => (found.startsWith('{{') ? 'JobId' : jobId));

/** The same for all values of a map. */
export const valuesWithJobId = (
  map: Readonly<Record<string, string>>,
  jobId: string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, withJobId(value, jobId)]));

/** The texts of a job for a copy of it: where they name the job, they name the copy. */
export const valuesForCopy = (
  map: Readonly<Record<string, string>>,
  jobId: string,
  copyId: string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value.replaceAll(jobId, copyId)]));
