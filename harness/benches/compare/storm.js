// The crowd's peer: open arrivals at a constant rate, one GET each, by k6.
import http from 'k6/http';

const { URL, RATE, SECONDS } = __ENV;

export const options = {
    discardResponseBodies: true,
    summaryTrendStats: ['med', 'p(99)', 'max'],
    scenarios: {
        storm: {
            executor: 'constant-arrival-rate',
            rate: Number(RATE),
            timeUnit: '1s',
            duration: `${SECONDS}s`,
            preAllocatedVUs: 200,
            maxVUs: 400,
        },
    },
};

export default function () {
    http.get(URL);
}
