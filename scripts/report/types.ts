import type { Sample } from "../prober";

/** A named stretch of time; milliseconds since the epoch. */
export interface ReportPhase {
    name: string;
    from: number;
    to: number;
}

/** A moment worth a line of its own, such as the route's change. */
export interface ReportMark {
    at: number;
    label: string;
}

/** A small table under the chart: a heading, column names, rows of ready-made text. */
export interface ReportTable {
    heading: string;
    columns: readonly string[];
    rows: readonly (readonly string[])[];
}

export interface ReportData {
    title: string;
    /** One sentence below the title. */
    summary: string;
    /** Whether the run did all it claims; decides the badge's color. */
    passed: boolean;
    samples: readonly Sample[];
    phases: readonly ReportPhase[];
    marks: readonly ReportMark[];
    tables: readonly ReportTable[];
}
