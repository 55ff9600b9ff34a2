/** The styles of all pages, in the light and in the dark. There are no images and no fonts to fetch. */
export const style = `
:root { color-scheme: light dark; --page: #eef2f7; --card: #fff; --ink: #10243c; --soft: #47586d; --line: #c3ccd8; --edge: #6b7c93; --main: #14365c; --main-ink: #fff; --main-over: #1f4b7d; --bad: #a11722; --bad-back: #fdeeef; --focus: #2f7de1; --tint: #f4f7fb; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0b1420; --card: #142235; --ink: #e9eff7; --soft: #aebccd; --line: #2d3f57; --edge: #8396ae; --main: #8bb9f5; --main-ink: #0b1a2c; --main-over: #a9ccfa; --bad: #ffb3b8; --bad-back: #3a1d25; --focus: #8bb9f5; --tint: #192a41; }
}
* { box-sizing: border-box; }
body { display: flex; flex-direction: column; align-items: center; min-height: 100vh; margin: 0; padding: clamp(16px, 8vh, 96px) 16px 32px; color: var(--ink); background: var(--page); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.brand { display: flex; align-items: center; gap: 10px; margin-bottom: 20px; font-size: 18px; font-weight: 650; letter-spacing: 0.01em; }
.brand svg { display: block; }
main { width: min(420px, 100%); padding: 32px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); box-shadow: 0 10px 30px #10243c14; }
h1 { margin: 0 0 6px; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 24px 0 8px; font-size: 16px; }
p { margin: 0 0 16px; color: var(--soft); overflow-wrap: anywhere; }
p strong { color: var(--ink); }
a { color: inherit; text-underline-offset: 3px; }
form { margin-top: 24px; }
label, legend { display: block; margin-bottom: 6px; padding: 0; font-weight: 600; }
input[type="text"], input[type="password"] { width: 100%; min-height: 44px; margin-bottom: 18px; padding: 9px 12px; border: 1px solid var(--edge); border-radius: 8px; color: inherit; background: var(--card); font: inherit; }
input[aria-invalid="true"] { border-color: var(--bad); border-width: 2px; }
.hint { margin: -14px 0 18px; font-size: 14px; }
.code { font-size: 22px !important; letter-spacing: 0.12em; text-align: center; text-transform: uppercase; }
.check { display: flex; gap: 12px; align-items: flex-start; margin-bottom: 0; padding: 10px 0; font-weight: 400; cursor: pointer; }
.check input { flex: none; width: 20px; height: 20px; margin: 2px 0 0; accent-color: var(--main); }
.check small { display: block; color: var(--soft); font-size: 14px; overflow-wrap: anywhere; }
fieldset { margin: 0 0 12px; padding: 0; border: 0; }
.scopes .check { padding: 12px; border: 1px solid var(--line); border-bottom-width: 0; }
.scopes .check:first-of-type { border-radius: 10px 10px 0 0; }
.scopes .check:last-of-type { border-bottom-width: 1px; border-radius: 0 0 10px 10px; }
.scopes .check:only-of-type { border-radius: 10px; }
ul { margin: 0 0 16px; padding-left: 20px; overflow-wrap: anywhere; }
.actions { display: flex; flex-direction: column; gap: 10px; margin-top: 16px; }
button, .button { display: block; width: 100%; min-height: 44px; padding: 10px 16px; border: 1px solid var(--main); border-radius: 8px; color: var(--main-ink); background: var(--main); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
.or { margin: 20px 0 0; text-align: center; }
button:hover, .button:hover { background: var(--main-over); }
button.plain { border-color: var(--edge); color: var(--ink); background: transparent; }
button.plain:hover { background: var(--tint); }
.problem { margin: 16px 0 0; padding: 12px 14px; border-left: 4px solid var(--bad); border-radius: 4px; color: var(--bad); background: var(--bad-back); }
.facts { margin: 20px 0 0; padding: 14px 16px; border-radius: 10px; background: var(--tint); font-size: 14px; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0 0 8px; overflow-wrap: anywhere; }
.facts dd:last-child { margin-bottom: 0; }
.fine { margin: 20px 0 0; font-size: 14px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
@media (max-width: 480px) { main { padding: 24px 20px; } }
@media (forced-colors: active) { main, .check { border: 1px solid; } }
`;
