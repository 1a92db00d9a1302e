import { runService } from '../shared/run-service.js';
import { Frontend } from './frontend.js';

await runService('frontend', new Frontend(process.env), 3000);
