import { FastifyAdapter } from '@nestjs/platform-fastify'
import { serve } from '../servers/serve'
import { nest } from './nest'

serve(nest(() => new FastifyAdapter()))
