/** The styles of our parts of the page. GraphiQL has its own. */
export const style = `
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; font: 15px/1.5 system-ui, sans-serif; color: #10243c; background: #f4f6f9; }
#root { flex: 1; min-height: 0; }
#root .graphiql-container { width: 100%; height: 100%; }
.slipway-bar { display: flex; align-items: center; gap: 16px; padding: 6px 16px; color: #fff; background: #14365c; }
.slipway-bar[hidden] { display: none; }
.slipway-bar h1 { margin: 0; font-size: inherit; font-weight: 600; }
.slipway-bar #who { flex: 1; text-align: right; }
.slipway-bar button { padding: 3px 12px; border: 1px solid #fff; border-radius: 6px; font: inherit; color: #fff; background: none; cursor: pointer; }
.slipway-bar button:hover { color: #14365c; background: #fff; }
#sign-in { width: min(360px, calc(100vw - 64px)); padding: 28px 32px; border: 1px solid #c3ccd8; border-radius: 12px; color: inherit; background: #fff; box-shadow: 0 12px 40px #10243c33; }
#sign-in::backdrop { background: #10243c66; }
#sign-in h1 { margin: 0 0 4px; font-size: 20px; }
#sign-in p { margin: 0 0 16px; color: #42546b; }
#sign-in #sign-in-notice { padding: 8px 12px; border-left: 4px solid #2f7de1; color: inherit; background: #f4f6f9; overflow-wrap: anywhere; }
#sign-in #sign-in-notice:empty { display: none; }
#sign-in button { width: 100%; padding: 9px; border: 0; border-radius: 6px; font: inherit; font-weight: 600; color: #fff; background: #14365c; cursor: pointer; }
#sign-in button:disabled { opacity: 0.6; cursor: progress; }
.slipway-bar :focus-visible, #sign-in :focus-visible { outline: 3px solid #2f7de1; outline-offset: 2px; }
.slipway-bar :focus-visible { outline-color: #fff; }
`;
