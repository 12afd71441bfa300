// The report's style sheet. Room: ops/app. Cold.
#pragma once

#include <string_view>

namespace gimbal {

inline constexpr std::string_view report_style = R"css(
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#667085;
--grid:#e6e9ee;--line:#cdd3dc;
--c1:#2563eb;--c2:#d97706;--c3:#7c3aed;--c4:#0d9488;--good:#15803d;--bad:#c0262d}
@media (prefers-color-scheme:dark){:root{--page:#10141b;--card:#181e27;--ink:#e4e8ee;--soft:#93a0b3;
--grid:#252d39;--line:#3a4453;--c1:#6aa1ff;--c2:#f0a848;--c3:#b59bff;--c4:#3fd0bd;--good:#4cc37a;
--bad:#ff7b7b}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:1060px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:25px;margin:0 0 2px}h2{font-size:18px;margin:38px 0 10px}
p{margin:6px 0}.soft{color:var(--soft)}code{font:13px ui-monospace,Menlo,Consolas,monospace}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:12px;margin:20px 0}
.card{background:var(--card);border:1px solid var(--grid);border-radius:10px;padding:12px 14px}
.card b{display:block;font-size:21px;line-height:1.3;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:13px;display:block}
.good{--mark:var(--good)}.bad{--mark:var(--bad)}b.good,b.bad,td.good,td.bad{color:var(--mark)}
.c1{--mark:var(--c1)}.c2{--mark:var(--c2)}.c3{--mark:var(--c3)}.c4{--mark:var(--c4)}
figure{background:var(--card);border:1px solid var(--grid);border-radius:10px;margin:0 0 14px;
padding:12px 14px 8px}
figcaption{font-weight:600;display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline}
figcaption span{font-weight:400;font-size:13px;color:var(--soft)}.unit{margin-left:auto}
.key:before{content:"";display:inline-block;width:16px;height:3px;border-radius:2px;
background:var(--mark);margin-right:6px;vertical-align:middle}
.key.patch:before{height:11px;opacity:.3}
svg{display:block;width:100%;height:auto;margin-top:6px}
.grid{stroke:var(--grid)}.grid.zero{stroke:var(--line)}
.tick{fill:var(--soft);font-size:12px}.label{fill:var(--ink);font-size:13px}
.value{fill:var(--soft);font-size:13px;font-variant-numeric:tabular-nums}
.curve{fill:none;stroke:var(--mark);stroke-width:1.7;stroke-linejoin:round}
.area{fill:var(--mark);opacity:.16}.bar{fill:var(--mark);opacity:.85}
.dot{fill:var(--mark);fill-opacity:.8;stroke:var(--card)}
.moment{stroke:var(--soft);stroke-dasharray:4 4}.moment.bad{stroke:var(--bad)}
.gap{fill:var(--line);opacity:.45}
.none{color:var(--soft);margin:10px 0}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--grid);border-radius:10px;
margin-bottom:14px}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;white-space:nowrap;border-top:1px solid var(--grid)}
th{font-weight:500;color:var(--soft);border-top:0}th:first-child,td:first-child{text-align:left}
td.l{text-align:left;white-space:normal}
summary{cursor:pointer;color:var(--soft);margin:8px 0}
@media print{body{background:#fff}figure,.card,.scroll{break-inside:avoid}}
)css";

}  // namespace gimbal
