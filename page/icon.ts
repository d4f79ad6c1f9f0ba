const colours = { ok: '#1f9d57', warn: '#d98a00', bad: '#d3392f', off: '#8a93a1' }

/** Icon of the page by state: a hull, and a waterline in the colour of the state. */
export function showIcon(tone: keyof typeof colours): void {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${colours[tone]}"/><path d="M5 14h22l-4 10H9z" fill="#fff"/><path d="M15 5v8H9z" fill="#fff"/><path d="M17 5v8h7z" fill="#fff"/></svg>`
  const link = document.querySelector('link[rel=icon]')
  const href = `data:image/svg+xml,${encodeURIComponent(svg)}`
  if (link && link.getAttribute('href') !== href) link.setAttribute('href', href)
}
