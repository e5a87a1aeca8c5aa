// Light or dark: the system's choice until the person makes one, which is then remembered.

const system = matchMedia('(prefers-color-scheme: dark)');

class Theme {
  #chosen = $state(document.documentElement.dataset.theme);
  #system = $state(system.matches);

  constructor() {
    system.addEventListener('change', () => (this.#system = system.matches));
  }

  get dark(): boolean {
    return this.#chosen ? this.#chosen === 'dark' : this.#system;
  }

  toggle(): void {
    this.#chosen = this.dark ? 'light' : 'dark';
    document.documentElement.dataset.theme = this.#chosen;
    try {
      localStorage.setItem('theme', this.#chosen);
    } catch {
      // Storage may be closed to us; the choice then lasts as long as the page.
    }
  }
}

export const theme = new Theme();
