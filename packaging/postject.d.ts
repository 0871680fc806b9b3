declare module 'postject' {
  const postject: {
    /** Puts a resource into an executable, in place. */
    inject(
      file: string,
      resource: string,
      content: Buffer,
      options: { sentinelFuse: string; machoSegmentName?: string },
    ): Promise<void>
  }
  export default postject
}
