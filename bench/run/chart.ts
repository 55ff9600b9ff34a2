import { cpuOf, type Row } from './summary.ts';

/** A chart of the CPU time that a request costs: for each workload a row of bars, each in parts of the most expensive. */

const LABEL = 130;
const WIDTH = 520;
const BAR = 16;
const GAP = 22;

const colors = { server: '#2563a8', database: '#d9822b' };

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export function chartOf(rows: readonly Row[]): string {
  const parts: string[] = [];
  let y = 44;
  for (const workload of new Set(rows.map((row) => row.workload))) {
    const group = rows.filter((row) => row.workload === workload);
    const most = Math.max(...group.map(cpuOf), Number.MIN_VALUE);
    parts.push(`<text x="0" y="${y}" font-weight="bold">${escaped(workload)}</text>`);
    for (const row of group) {
      const server = (row.serverCpu.median / most) * WIDTH;
      const database = (row.databaseCpu.median / most) * WIDTH;
      parts.push(
        `<text x="${LABEL - 8}" y="${y + BAR - 4}" text-anchor="end">${escaped(row.server)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${server.toFixed(1)}" height="${BAR - 3}" fill="${colors.server}"/>`,
        `<rect x="${(LABEL + server).toFixed(1)}" y="${y}" width="${database.toFixed(1)}" height="${BAR - 3}" fill="${colors.database}"/>`,
        `<text x="${(LABEL + server + database + 6).toFixed(1)}" y="${y + BAR - 4}">${cpuOf(row).toFixed(2)} ms</text>`,
      );
      y += BAR;
    }
    y += GAP;
  }
  const title = 'CPU time of a request';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LABEL + WIDTH + 90} ${y}" font-family="sans-serif" font-size="12" role="img" aria-label="${title}">
<rect width="100%" height="100%" fill="#fff"/>
<text x="0" y="14" font-size="14">${title}: <tspan fill="${colors.server}">server</tspan> and <tspan fill="${colors.database}">PostgreSQL</tspan></text>
${parts.join('\n')}
</svg>
`;
}
