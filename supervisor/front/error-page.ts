/** Text of a built-in page. */
export interface ErrorPage {
  title: string
  message: string
}

/** HTML of a built-in page. All have the same style. */
export function renderErrorPage({ title, message }: ErrorPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  :root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }
  body { min-height: 90vh; display: grid; place-content: center; text-align: center; margin: 1rem }
  h1 { font-size: 1.5rem; margin: 0 0 .5rem }
  p { margin: 0; opacity: .75 }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${message}</p>
</main>
</body>
</html>
`
}
