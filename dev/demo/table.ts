import { styleText } from 'node:util';

/**
 * The demo's output: lines that are only ever added, so that a log of CI reads like the terminal. Colour where stdout
 * is a terminal and NO_COLOR is not set (styleText looks at both).
 */

type Style = Parameters<typeof styleText>[0];

export interface Row {
  resource?: string;
  environment?: string;
  revision?: string;
  what: string;
  style?: Style;
}

const WIDTHS = { time: 12, resource: 32, environment: 10, revision: 8 };

export class Table {
  readonly #write: (line: string) => void;
  readonly #now: () => Date;

  constructor(write: (line: string) => void = console.log, now = () => new Date()) {
    this.#write = write;
    this.#now = now;
  }

  heading(text: string): void {
    this.#write(`\n${paint('bold', text)}`);
  }

  line(text = ''): void {
    this.#write(text);
  }

  columns(): void {
    this.#write(
      paint(
        'dim',
        cells('TIME', { resource: 'RESOURCE', environment: 'ENVIRONMENT', revision: 'REVISION', what: 'WHAT' }),
      ),
    );
  }

  row(row: Row): void {
    const text = cells(this.#now().toISOString().slice(11, 23), row);
    this.#write(row.style ? paint(row.style, text) : text);
  }

  check(ok: boolean, text: string): void {
    this.#write(`${ok ? paint('green', '  ok    ') : paint('red', '  FAILED')} ${text}`);
  }
}

function cells(time: string, { resource = '', environment = '', revision = '', what }: Row): string {
  return [
    time.padEnd(WIDTHS.time),
    column(resource, WIDTHS.resource),
    column(environment, WIDTHS.environment + 1),
    column(revision, WIDTHS.revision),
    what,
  ].join(' ');
}

const column = (text: string, width: number): string =>
  (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);

const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });
