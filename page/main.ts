import { html, render } from 'htm/preact'
import uPlot from 'uplot'

const root = document.getElementById('page')
if (root) render(html`<main>${typeof uPlot}</main>`, root)
