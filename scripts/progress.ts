import { Listr } from "listr2";

/** Updates the one-line status of the step that is running. */
export type Say = (line: string) => void;

/** How long work reports itself: a live step list on a terminal, plain lines elsewhere. */
export interface Progress {
    /** Runs `work` as one titled step; the step fails when `work` throws, and the error goes on up. */
    step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T>;
}

/** Steps with a spinner on a terminal; one line per start, status and end elsewhere. */
export function terminalProgress(): Progress {
    const live = process.stdout.isTTY === true;
    return {
        async step(title, work) {
            if (!live) return plainStep(title, work);
            let result: Awaited<ReturnType<typeof work>> | undefined;
            const started = Date.now();
            const list = new Listr(
                [
                    {
                        title,
                        task: async (_context, task) => {
                            result = await work((line) => (task.output = line));
                            task.title = `${title} (${seconds(started)})`;
                        },
                    },
                ],
                { registerSignalListeners: false, concurrent: false },
            );
            await list.run();
            return result as Awaited<ReturnType<typeof work>>;
        },
    };
}

/** Says nothing: for tests and for calls whose caller reports. */
export const silentProgress: Progress = {
    step: (_title, work) => work(() => undefined),
};

/** Plain lines on standard error, so that standard output is JSON and nothing else. */
export const errorProgress: Progress = {
    step: (title, work) => {
        console.error(`- ${title}`);
        return work(() => undefined);
    },
};

async function plainStep<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
    const started = Date.now();
    console.log(`- ${title}`);
    let last = "";
    const result = await work((line) => {
        if (line !== last) console.log(`  ${line}`);
        last = line;
    });
    console.log(`  done: ${title} (${seconds(started)})`);
    return result;
}

function seconds(since: number): string {
    return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
