// The page's language. index.html chooses it before the first paint (the link's, then the stored one, then the browser's)
// and writes it into the document; all texts follow from there.

/** The languages there are, each in its own words. */
export const LANGUAGES = { en: 'English', ja: '日本語' } as const;
export type Language = keyof typeof LANGUAGES;

/** The language that the page is in. */
export const language: Language = document.documentElement.lang === 'ja' ? 'ja' : 'en';

/** Sentences one after the other, as the language sets them; what is false is left out. */
export const sentences = (...all: (string | false)[]): string => all.filter(Boolean).join(language === 'ja' ? '' : ' ');

/** What a part's compiled messages are called with: nothing, or the values that their text names. */
export type Texts<Compiled> = {
  readonly [Key in keyof Compiled]: Compiled[Key] extends (inputs: infer Inputs) => string
    ? object extends Inputs
      ? () => string
      : (inputs: Inputs) => string
    : never;
};

/** Keeps the choice and opens the page anew in that language, with the lab and its settings as they are. */
export function speak(chosen: Language): void {
  try {
    localStorage.setItem('language', chosen);
  } catch {
    // Storage may be closed to us: the address then carries the choice.
  }
  const url = new URL(location.href);
  url.searchParams.set('lang', chosen);
  location.assign(url);
}
