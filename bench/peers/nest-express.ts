import { ExpressAdapter } from '@nestjs/platform-express'
import { serve } from '../servers/serve'
import { nest } from './nest'

serve(nest(() => new ExpressAdapter()))
