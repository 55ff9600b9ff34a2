import { config } from '../platform/config.ts';

/** Whether pages from there are our own or listed. */
export function isAllowedOrigin(origin: string, publicUrl: string): boolean {
  return config.corsOrigins.includes(origin) || origin === new URL(publicUrl).origin;
}
