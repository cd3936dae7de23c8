/** For a person who opens the server's address in a browser. */
export function frontPage(fingerprint: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>p2p</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}code{overflow-wrap:anywhere}</style>
<h1>p2p</h1>
<p>This is a p2p server: a place where two people meet, so that their computers can talk straight to each other, end-to-end
encrypted. It sees who meets whom, never what is said.</p>
<p>To join, run <code>p2p JOIN-LINE</code> with the line that somebody here gave you. It must carry this key:</p>
<p><code>${fingerprint}</code></p>
</html>
`;
}
