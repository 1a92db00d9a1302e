import { runService } from '../shared/run-service.js';
import { StressAgent } from './stress-agent.js';

await runService('stress-agent', new StressAgent(process.env), 3000);
