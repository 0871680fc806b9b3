import { html, type Html } from './html.ts'

/**
 * The one style sheet of the sign-in pages, allowed by the nonce of their policy. Colours come in pairs whose contrast is at least 4.5:1
 * for text (WCAG 2.2 AA); sizes are in rem, so that a reader's own font size is respected.
 */
export const styleElement = (nonce: string): Html =>
  html`<style nonce="${nonce}">
    :root {
      color-scheme: light dark;
      --page: #f5f5f2;
      --card: #ffffff;
      --ink: #1c1e22;
      --soft: #5b5f67;
      --line: #e0e0da;
      --note: #f6f1e3;
      --note-ink: #5a4716;
      --accent: #2b5a4b;
      --on-accent: #ffffff;
      --accent-hover: #224a3d;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #141517;
        --card: #1d1f22;
        --ink: #ecece9;
        --soft: #a2a6ad;
        --line: #33363b;
        --note: #2a2619;
        --note-ink: #e3d2a0;
        --accent: #9fd3bf;
        --on-accent: #10241d;
        --accent-hover: #b9e2d2;
      }
    }
    * {
      box-sizing: border-box;
    }
    body {
      margin: 0;
      min-height: 100vh;
      display: grid;
      place-items: center;
      padding: 1.5rem 1rem;
      background: var(--page);
      color: var(--ink);
      font:
        1rem/1.55 system-ui,
        -apple-system,
        'Segoe UI',
        Roboto,
        sans-serif;
      overflow-wrap: anywhere;
    }
    main {
      width: 100%;
      max-width: 27rem;
      padding: 2.25rem 2rem 2rem;
      background: var(--card);
      border: 1px solid var(--line);
      border-radius: 1rem;
    }
    .mark {
      display: block;
      width: 3.5rem;
      height: 1.5rem;
      margin: 0 0 1.25rem;
      color: var(--accent);
    }
    h1 {
      margin: 0;
      font-size: 1.375rem;
      line-height: 1.3;
      font-weight: 600;
      letter-spacing: -0.01em;
      text-wrap: balance;
    }
    p {
      margin: 0.5rem 0 0;
    }
    .soft {
      color: var(--soft);
    }
    .small {
      font-size: 0.875rem;
    }
    dl {
      margin: 1.5rem 0 0;
      padding: 0.25rem 0;
      border-block: 1px solid var(--line);
    }
    dl div {
      display: flex;
      gap: 1rem;
      padding: 0.5rem 0;
    }
    dt {
      flex: 0 0 6.5rem;
      color: var(--soft);
    }
    dd {
      margin: 0;
      flex: 1;
    }
    fieldset {
      margin: 1.5rem 0 0;
      padding: 0;
      border: 0;
      min-width: 0;
    }
    legend {
      padding: 0;
      font-weight: 600;
    }
    .choice {
      display: flex;
      gap: 0.75rem;
      align-items: flex-start;
      padding: 0.5rem 0;
    }
    .choice input {
      flex: none;
      width: 1.125rem;
      height: 1.125rem;
      margin: 0.2rem 0 0;
      accent-color: var(--accent);
    }
    .choice code {
      display: block;
      color: var(--soft);
      font:
        0.8125rem/1.5 ui-monospace,
        SFMono-Regular,
        Menlo,
        Consolas,
        monospace;
    }
    .note {
      margin: 1.25rem 0 0;
      padding: 0.75rem 1rem;
      border-radius: 0.625rem;
      background: var(--note);
      color: var(--note-ink);
    }
    .remember {
      margin-top: 0.75rem;
    }
    .actions {
      display: flex;
      gap: 0.75rem;
      margin-top: 1.5rem;
    }
    button,
    a.button {
      flex: 1;
      display: block;
      min-height: 2.875rem;
      padding: 0.625rem 1rem;
      font: inherit;
      font-weight: 600;
      line-height: 1.5;
      text-align: center;
      text-decoration: none;
      color: var(--ink);
      background: transparent;
      border: 1px solid var(--line);
      border-radius: 0.625rem;
      cursor: pointer;
    }
    button:hover,
    a.button:hover {
      border-color: var(--soft);
    }
    .primary {
      color: var(--on-accent);
      background: var(--accent);
      border-color: var(--accent);
    }
    .primary:hover {
      background: var(--accent-hover);
      border-color: var(--accent-hover);
    }
    :focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 2px;
    }
    @media (max-width: 24rem) {
      main {
        padding: 1.5rem 1.25rem;
      }
      .actions {
        flex-direction: column;
      }
      dl div {
        display: block;
      }
    }
  </style>`
