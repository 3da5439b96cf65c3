export const LANGUAGES = ['en', 'ja'] as const;
/** A language that the bot speaks. Its texts lie side by side: a type holds that none is missing. */
export type Language = (typeof LANGUAGES)[number];

/** @param locale of a person or of the configuration, such as `ja-JP` */
export const languageOf = (locale: string | undefined): Language =>
  LANGUAGES.find((language) => locale?.toLowerCase().split(/[-_]/)[0] === language) ?? 'en';
