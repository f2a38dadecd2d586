export { renderChart } from "./chart";
export { renderPage } from "./page";
export type { ReportData, ReportMark, ReportPhase, ReportTable } from "./types";
