import type { Plan, SidePlan, State } from "./types";

/**
 * The core rule: grow → route → shrink. A side that gains traffic, or keeps some, is made ready
 * before the route moves; one that loses traffic, or has none, is touched after it did. Nothing here
 * depends on how far an earlier `up` that failed had come: what the route is to select always comes
 * before it, whatever the last outputs say.
 */
export function orderOf(sides: readonly SidePlan[], previous: State | undefined): Plan["order"] {
    const grows = ({ side, share }: SidePlan) =>
        share > 0 && share >= (previous?.weights[side] ?? 0);
    const byShare = [...sides].sort((a, b) => b.share - a.share);
    return {
        beforeRoute: byShare.filter(grows).map(({ side }) => side),
        afterRoute: byShare.filter((side) => !grows(side)).map(({ side }) => side),
    };
}
