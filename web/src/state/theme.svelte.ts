// Light or dark: what the machine asks for, unless the person chose.

import { recall, remember } from "./remembered";

const asked = matchMedia("(prefers-color-scheme: dark)");

class Theme {
  dark = $state(false);

  constructor() {
    this.follow();
    asked.addEventListener("change", () => this.follow());
  }

  private follow(): void {
    const chosen = recall("theme");
    this.set(chosen ? chosen === "dark" : asked.matches);
  }

  private set(dark: boolean): void {
    this.dark = dark;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }

  toggle(): void {
    this.set(!this.dark);
    remember("theme", this.dark ? "dark" : "light");
  }
}

export const theme = new Theme();
