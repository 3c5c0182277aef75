"""The style of a highlight card. In Python, because a flow's code package takes no other files along."""

STYLE = """\
:root {
  color-scheme: light dark;
  --ink: light-dark(#1a1c20, #e8eaed);
  --ink-2: light-dark(#50565f, #aab1ba);
  --sheet: light-dark(#ffffff, #181b1f);
  --inset: light-dark(#f0f0ec, #262a30);
  --edge: light-dark(#e5e5e0, #2f343b);
  --c0: light-dark(#2851c8, #93b1ff);
  --c1: light-dark(#0b7a70, #62cfc2);
  --c2: light-dark(#a85b00, #efba66);
  --c3: light-dark(#8a2fc0, #d3a4ff);
  --c4: light-dark(#b02117, #ff9f96);
  --c5: light-dark(#5d6470, #aab1ba);
}
* { box-sizing: border-box; margin: 0; padding: 0; }
body {
  background: var(--sheet);
  color: var(--ink);
  font: 15px/22px -apple-system, "Segoe UI", Roboto, Ubuntu, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: anywhere;
}
main {
  max-width: 960px;
  margin: 0 auto;
  padding: 24px;
  display: grid;
  gap: 12px;
  grid-template-columns: minmax(0, 1fr);
}
h1 { font-size: 22px; line-height: 28px; font-weight: 650; text-wrap: balance; }
p { color: var(--ink-2); white-space: pre-line; }
strong { color: var(--ink); font-weight: 600; }
ul { list-style: none; display: flex; flex-wrap: wrap; gap: 8px; }
.label { padding: 0 8px; border-radius: 11px; background: var(--inset); font-size: 13px; }
.label.important { background: light-dark(#fbf0db, #32260f); color: light-dark(#8a4d05, #efba66); }
.label.error { background: light-dark(#fdeae8, #3a1916); color: light-dark(#b02117, #ff9f96); }
.label.new { background: light-dark(#e3f4e9, #132c1d); color: light-dark(#166b3a, #70d29a); }
.columns {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(120px, 1fr));
  gap: 16px 24px;
  margin-top: 4px;
}
.columns div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.columns dd { font-size: 32px; line-height: 40px; font-weight: 650; letter-spacing: -0.02em; }
.columns dt { color: var(--ink-2); font-size: 13px; line-height: 18px; }
img { max-width: 100%; max-height: 480px; border-radius: 6px; margin-top: 4px; }
.chart {
  display: grid;
  grid-template: "legend legend" "axis drawing" 220px ". along" ". caption" / auto minmax(0, 1fr);
  gap: 8px 12px;
  margin-top: 4px;
  color: var(--ink-2);
  font-size: 13px;
  line-height: 18px;
}
.legend { grid-area: legend; gap: 4px 16px; margin-bottom: 4px; }
.legend li::before {
  content: "";
  display: inline-block;
  width: 12px;
  height: 4px;
  border-radius: 2px;
  margin: 0 6px 3px 0;
  background: var(--colour);
}
.axis { grid-area: axis; position: relative; min-width: 44px; font-variant-numeric: tabular-nums; }
.axis span { position: absolute; right: 0; transform: translateY(-50%); }
.chart svg { grid-area: drawing; width: 100%; height: 220px; overflow: visible; }
.along { grid-area: along; display: flex; justify-content: space-between; gap: 8px; }
.along:has(> :only-child) { justify-content: center; }
.along.each { gap: 0; }
.along.each span { flex: 1 1 0; padding: 0 2px; text-align: center; }
figcaption { grid-area: caption; color: var(--ink-2); }
.c0 { --colour: var(--c0); } .c1 { --colour: var(--c1); } .c2 { --colour: var(--c2); }
.c3 { --colour: var(--c3); } .c4 { --colour: var(--c4); } .c5 { --colour: var(--c5); }
.grid { stroke: var(--edge); vector-effect: non-scaling-stroke; }
.line {
  fill: none;
  stroke: var(--colour);
  stroke-width: 2;
  stroke-linecap: round;
  stroke-linejoin: round;
  vector-effect: non-scaling-stroke;
}
.dot { fill: none; stroke: var(--colour); stroke-width: 8; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.bar { fill: var(--colour); }
"""
