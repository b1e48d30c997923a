// How reports look. The one place with colors and sizes.
#pragma once

#include <string_view>

namespace lprnet::report {

inline constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1b2430; --soft: #667080;
  --line: #e3e7ec; --accent: #2f6fde; --good: #1f8a5b; --fair: #b7791f; --poor: #cf3f3f; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --card: #1a2028; --ink: #e6eaf0;
  --soft: #93a0b1; --line: #2b343f; --accent: #76a5f5; --good: #4cc38a; --fair: #e0ac4f; --poor: #f07878; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.45;
  font-family: system-ui, -apple-system, Segoe UI, Roboto, PingFang SC, Microsoft YaHei, Noto Sans CJK SC,
  Noto Sans SC, sans-serif; font-size: 15px; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; font-weight: 650; margin: 0 0 12px; letter-spacing: -0.01em; }
h2 { font-size: 17px; font-weight: 620; margin: 40px 0 12px; }
p { color: var(--soft); max-width: 70ch; margin: 0 0 12px; }
small, .path { color: var(--soft); font-size: 12.5px; }
.path { overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 0; }
.facts div { display: flex; gap: 8px; min-width: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin-top: 24px; }
.tile, .reading, .scroll, .bars, .plot { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 14px 16px; } .tile strong { display: block; font-size: 24px; font-weight: 640;
  font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; padding: 4px 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
tr:first-child th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 13px; }
th:first-child, td:first-child { text-align: left; }
.bars { list-style: none; margin: 0; padding: 8px 16px; }
.bars li { display: grid; grid-template-columns: minmax(0, 15em) 1fr 7.5em; gap: 14px; align-items: center; padding: 5px 0; }
.bars .name { overflow-wrap: anywhere; } .bars small { display: block; line-height: 1.2; }
.track { height: 10px; border-radius: 5px; background: var(--line); overflow: hidden; }
.track i { display: block; height: 100%; border-radius: 5px; background: var(--accent); min-width: 1px; }
.value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.plot { padding: 16px; max-width: 460px; } .plot svg { display: block; width: 100%; height: auto; }
.plot text { fill: var(--soft); font-size: 11px; } .plot .bar { fill: var(--accent); opacity: 0.75; }
.plot .axis { stroke: var(--line); } .plot .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
.readings { display: grid; gap: 10px; margin-top: 24px; }
.reading { display: grid; grid-template-columns: 210px minmax(0, 1fr); gap: 8px 22px; padding: 14px 16px;
  align-items: center; content-visibility: auto; contain-intrinsic-size: auto 120px; }
.reading img { display: block; max-width: 100%; height: auto; width: 210px; border-radius: 6px; }
.nothing { color: var(--soft); border: 1px dashed var(--line); border-radius: 6px; padding: 14px; text-align: center; }
.plate { font-size: 22px; font-weight: 620; letter-spacing: 0.06em; overflow-wrap: anywhere; }
.plate del, .plate ins { text-decoration: none; border-radius: 4px; padding: 0 2px; }
.plate del { color: var(--poor); box-shadow: inset 0 -2px var(--poor); }
.plate ins { color: var(--good); box-shadow: inset 0 -2px var(--good); }
.sure { font-variant-numeric: tabular-nums; margin-left: 10px; font-weight: 600; }
.good { color: var(--good); } .fair { color: var(--fair); } .poor { color: var(--poor); }
.badge { border: 1px solid currentColor; border-radius: 999px; padding: 1px 9px; margin-left: 10px; font-size: 12px; color: var(--fair);
  display: inline-block; white-space: nowrap; letter-spacing: 0; vertical-align: middle; }
.characters { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0 4px; padding: 0; list-style: none; }
.characters li { width: 58px; padding: 4px 4px 5px; text-align: center; border: 1px solid var(--line); border-radius: 8px; }
.characters b { display: block; font-size: 18px; font-weight: 600; line-height: 1.3; }
.characters span { display: block; font-size: 11.5px; font-variant-numeric: tabular-nums; }
.characters small { display: block; font-size: 11px; line-height: 1.35; white-space: nowrap; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) { main { padding: 20px 12px 48px; } .reading { grid-template-columns: minmax(0, 1fr); }
  .bars li { grid-template-columns: 1fr auto; } .bars .track { grid-column: 1 / -1; grid-row: 2; } }
@media print { body { background: none; } .reading { break-inside: avoid; } }
)";

}  // namespace lprnet::report
