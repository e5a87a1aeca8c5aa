// Finds English where a page should speak Japanese.

/**
 * Sentences in Latin letters that a person reads or hears in this part of the page: in its text, in names, descriptions and
 * values for screen readers, in titles and placeholders. Names, formulas and what is marked as English are none; what matches
 * `but` is left out.
 */
export const latin = (page, { part = 'main', but = '#none' } = {}) =>
  page.locator(part).first().evaluate((root, but) => {
    // Two words of which the second is small: “L-BFGS”, “Gatys” and “safetensors” are names, “the layer” is English.
    const english = /[A-Za-z][A-Za-z’']+ [a-z]{2,}/;
    const marked = 'code, var, sub, sup, svg, script, style, .formula, [lang=en]';
    const found = [];
    const note = (element, text) => text && english.test(text) && !element.closest(marked) && !element.closest(but) && found.push(text.trim());
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) note(texts.currentNode.parentElement, texts.currentNode.data);
    for (const element of root.querySelectorAll('*')) {
      for (const name of ['aria-label', 'aria-description', 'aria-valuetext', 'title', 'placeholder', 'alt']) note(element, element.getAttribute(name));
    }
    return found;
  }, but);
