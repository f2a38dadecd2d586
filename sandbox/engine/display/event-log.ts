/* eslint-disable @typescript-eslint/no-require-imports -- only a caller that listens pays for gRPC here */
import { createWriteStream } from "node:fs";
import { Diagnostic, Listener, Step, Summary } from "../deploy/events";
import {
    diagnosticEvent,
    EventBody,
    failedEvent,
    outputsEvent,
    preEvent,
    summaryEvent,
} from "./engine-event";

interface Sink {
    write(line: string): void;
    close(): Promise<void>;
}

/** `--event-log`: a file of JSON lines, or the Automation API's event server (`tcp://…`). */
export async function openEventLog(target: string, planning: boolean): Promise<Listener> {
    const sink = target.startsWith("tcp://")
        ? grpcSink(target.slice("tcp://".length))
        : fileSink(target);
    return new EventLog(sink, planning);
}

class EventLog implements Listener {
    #sequence = 0;

    constructor(
        private readonly sink: Sink,
        private readonly planning: boolean,
    ) {}

    begin(config: Record<string, string>): void {
        this.#emit({ preludeEvent: { config } });
    }

    before(step: Step): void {
        this.#emit(preEvent(step, this.planning));
    }

    after(step: Step): void {
        this.#emit(outputsEvent(step, this.planning));
    }

    failed(step: Step): void {
        this.#emit(failedEvent(step));
    }

    diagnostic(diagnostic: Diagnostic): void {
        this.#emit(diagnosticEvent(diagnostic));
    }

    summary(summary: Summary): void {
        this.#emit(summaryEvent(summary));
    }

    async end(): Promise<void> {
        this.#emit({ cancelEvent: {} });
        await this.sink.close();
    }

    #emit(body: EventBody | undefined): void {
        if (body === undefined) return;
        const timestamp = Math.floor(Date.now() / 1000);
        this.sink.write(JSON.stringify({ sequence: this.#sequence++, timestamp, ...body }));
    }
}

function fileSink(file: string): Sink {
    const stream = createWriteStream(file, { flags: "a" });
    return {
        write: (line) => void stream.write(`${line}\n`),
        close: () => new Promise((resolve) => stream.end(resolve)),
    };
}

function grpcSink(address: string): Sink {
    const grpc = require("@grpc/grpc-js") as typeof import("@grpc/grpc-js");
    const rpc =
        require("@pulumi/pulumi/proto/events_grpc_pb") as typeof import("@pulumi/pulumi/proto/events_grpc_pb");
    const proto =
        require("@pulumi/pulumi/proto/events_pb") as typeof import("@pulumi/pulumi/proto/events_pb");
    const client = new rpc.EventsClient(address, grpc.credentials.createInsecure());
    let finished!: () => void;
    const done = new Promise<void>((resolve) => (finished = resolve));
    const stream = client.streamEvents(() => finished());
    return {
        write(line) {
            const request = new proto.EventRequest();
            request.setEvent(line);
            stream.write(request);
        },
        async close() {
            stream.end();
            await done;
            client.close();
        },
    };
}
