import { utf8 } from "../../../wire/bytes.ts";
import { sha256 } from "../../../wire/noise/primitives.ts";

/** Colours keep a contrast of at least 7 to 1 in both schemes (WCAG 2.2, 1.4.6). */
const style = `
:root { color-scheme: light dark; --ink: #1a1c1f; --paper: #fff; --quiet: #44484f; --tint: #eef1f4; --link: #0b3d91; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --paper: #15171a; --quiet: #b9bec6; --tint: #24282d; --link: #a8c7fa; }
}
body { font: 1.0625rem/1.6 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 42rem; padding: 2rem 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.25rem 0 .5rem; }
p, ol { margin: .5rem 0; }
ol { padding-left: 1.5rem; }
li { margin: .75rem 0; }
a { color: var(--link); }
code, pre { font: .9375rem/1.5 ui-monospace, monospace; background: var(--tint); border-radius: .25rem; overflow-wrap: anywhere; }
code { padding: .1rem .3rem; }
pre { margin: .5rem 0; padding: .6rem .8rem; white-space: pre-wrap; }
pre code { padding: 0; background: none; }
footer { color: var(--quiet); border-top: 1px solid; margin-top: 2.5rem; padding-top: .75rem; }
`;

/** Nothing but this style: no script, no picture, no form, no frame around it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${sha256(utf8(style)).toBase64()}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

export interface FrontPage {
  /** 52 base32 characters. */
  readonly fingerprint: string;
  /** Whether join lines begin with p2ps. */
  readonly secure: boolean;
}

/**
 * For a person who opens the server's address in a browser. Says nothing of who has an account here.
 */
export function frontPage({ fingerprint, secure }: FrontPage): string {
  const line = `${secure ? "p2ps" : "p2p"}://ADDRESS:PORT/#KEY.INVITATION`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="A p2p server: a place where people meet, so that their computers can talk straight to each other.">
<title>p2p server</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>This is a p2p server</h1>
<p>People meet here, so that their computers can talk straight to each other: chat and files, encrypted from device to
device. The server sees who meets whom, never what is said.</p>
</header>
<main>
<section aria-labelledby="join">
<h2 id="join">How to join</h2>
<ol>
<li>Get the <a href="#program">program</a> for your computer.</li>
<li>Ask somebody who is here already for a <strong>join line</strong>. It looks like this, and admits you once:
<pre><code>${line}</code></pre></li>
<li>Run the program with it, in a terminal:
<pre><code>p2p '${line}'</code></pre>
It asks for a name and a password, and shows who is online. The next time <code>p2p</code> alone is enough.</li>
</ol>
</section>
<section aria-labelledby="program">
<h2 id="program">How to get the program</h2>
<p><code>p2p</code> is one file, for Linux, macOS and Windows; nothing is installed. Take it from the person who invited
you: one of the same version fits this server. Or make it from the source, with git and Node:</p>
<pre><code>sh scripts/compile.sh</code></pre>
<p>That writes <code>dist/p2p</code>; <code>dist/p2p help</code> explains it.</p>
</section>
<section aria-labelledby="key">
<h2 id="key">Is it the right server?</h2>
<p>The KEY in your join line must be the key of this server. Your program holds the server to the key in the line, not
to what this page says:</p>
<pre><code>${fingerprint}</code></pre>
</section>
</main>
<footer>
<p>This page has no script, sets no cookie and loads nothing.</p>
</footer>
</body>
</html>
`;
}
