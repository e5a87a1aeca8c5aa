// What the elements share: a class to extend where there are no elements (on a server, which only imports them), and their style.

/** `HTMLElement`, or where there is none a class that is never made. */
export const HtmlElement: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** Gives a shadow root its style; as a sheet of its own, which a strict `style-src` lets pass. */
export function styled(root: ShadowRoot, text: string): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // jsdom, and browsers of before 2023.
    const style = document.createElement('style');
    style.textContent = text;
    root.append(style);
  }
}
