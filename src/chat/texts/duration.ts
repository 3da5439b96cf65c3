import type { Language } from './language.ts';

const UNITS = {
  en: { second: ' s', minute: ' min', hour: ' h', day: ' d', between: ' ' },
  ja: { second: ' 秒', minute: ' 分', hour: ' 時間', day: ' 日', between: ' ' },
} as const satisfies Record<Language, object>;

/** A stretch of time in its two largest units: `2 min 10 s`. @param ms milliseconds; less than none counts as none */
export function durationOf(ms: number, language: Language): string {
  const { between, ...units } = UNITS[language];
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), units.day],
    [Math.floor(seconds / 3600) % 24, units.hour],
    [Math.floor(seconds / 60) % 60, units.minute],
    [seconds % 60, units.second],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return `0${units.second}`;
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(between);
}
